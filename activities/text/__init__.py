"""An answer as text: thoughts apart, sentences to speak, parts that fit into messages."""
