//! Discovery (section M).
