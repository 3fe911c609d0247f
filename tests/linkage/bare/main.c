extern int bare_run(void);

// The precompiled `core` was built for unwinding and names this where nothing unwinds.
void rust_eh_personality(void) {}

int main(void) { return bare_run(); }
