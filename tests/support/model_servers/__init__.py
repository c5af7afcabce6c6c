"""Model servers that answer by themselves: a fake one, llama.cpp, vLLM on the CPU, any that is named."""
