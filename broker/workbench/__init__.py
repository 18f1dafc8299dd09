"""What engineers use offline: data held against itself, replay, samples, previews."""
