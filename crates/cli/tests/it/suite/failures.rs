//! What happens when the store, the clock or a handler fails (promise P8), and what a request costs the store (P4).
