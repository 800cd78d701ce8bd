//! The published keys (section K).
