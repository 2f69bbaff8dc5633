"""One module a page, or a family of pages: it asks the store and fills a template."""
