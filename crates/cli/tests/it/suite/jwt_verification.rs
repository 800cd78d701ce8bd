//! The JWTs that are believed (section JV).
