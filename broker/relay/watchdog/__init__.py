"""Who keeps whom waiting: the policy, and the schedule of when to look."""
