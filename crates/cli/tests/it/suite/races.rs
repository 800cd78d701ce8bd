//! What holds when things happen at once (G6).
