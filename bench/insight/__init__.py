"""What a MedSpectralNet is made of, and what its parts do with real images."""
