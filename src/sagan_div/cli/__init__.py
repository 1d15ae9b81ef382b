"""The command line: parse, call one function, print one line for an error."""
