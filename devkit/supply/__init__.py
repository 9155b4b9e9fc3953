"""What Steward is made of besides itself: pins, who needs what, licences, the bill of materials."""
