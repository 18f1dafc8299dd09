"""Lanes: the transactional core, from a share of the partitions to one committed batch."""
