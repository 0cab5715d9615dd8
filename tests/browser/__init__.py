"""The pages in a real browser. A package, so that its browser ends with it and leaves no event loop behind."""
