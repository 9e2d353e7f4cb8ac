// Lets sampling.go declare a function without a body.
