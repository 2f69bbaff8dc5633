"""The API under `/api/v1`: reading, asking the models, running the installation, accounts."""
