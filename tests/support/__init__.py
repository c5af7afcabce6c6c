"""What tests share: doubles, samples, worlds to run workflows in, waiting."""
