"""Bytes to trees and back to places in the bytes, met with suspicion."""
