"""How good the recommender is: judged queries, co-reading, baselines, ablations, intervals, report."""
