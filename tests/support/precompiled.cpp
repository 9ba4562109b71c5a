// Compiled once, so that all test programs share its precompiled header.
