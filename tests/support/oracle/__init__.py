"""Slow, obvious twins of the kernels. None of them shares a line, or an idea, with what it judges."""
