//! PostgreSQL (placeholder while the driver is written).
