"""Global alignment of pairwise pointmaps (DUSt3R section 3.3) for video clips."""
