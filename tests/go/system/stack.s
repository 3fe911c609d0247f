// Go asks for a file like this where a function has no body.
