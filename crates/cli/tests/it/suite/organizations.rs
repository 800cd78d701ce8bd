//! Organizations never see each other (promise P6, G8).
