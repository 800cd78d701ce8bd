//! JSON bodies, names and ids from outside (G5, G10 to G18).
