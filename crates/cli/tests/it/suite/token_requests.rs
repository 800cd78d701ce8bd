//! The token endpoint, request side (section T).
