"""What a compiled mapping calls while it translates one document."""
