"""What Steward is made of besides itself."""
