//! The bearer's token at the management API (section B).
