"""Loading of models: speech recognition, speech synthesis, and the language model's server."""
