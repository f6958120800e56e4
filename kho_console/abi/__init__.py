"""What the bytes mean: one module per wire format, pure functions between bytes and the model."""
