//! The JWTs that are issued (section J).
