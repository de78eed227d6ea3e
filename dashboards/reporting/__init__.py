"""The training report: pictures and sentences made of what a training measured (`Machine.training_report`)."""
