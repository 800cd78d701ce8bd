//! Every operation of the API document, called by those who may not.
