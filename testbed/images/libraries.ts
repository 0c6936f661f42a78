/**
 * Debian's dynamic loader and C library, by Node's name of the architecture. Everything else of the testbed is Debian's, PyPI's or
 * built here, and comes for both.
 */
export const libraries: Record<string, string[]> = {
  x64: ['/lib64/ld-linux-x86-64.so.2', '/lib/x86_64-linux-gnu/libc.so.6'],
  arm64: ['/lib/ld-linux-aarch64.so.1', '/lib/aarch64-linux-gnu/libc.so.6'],
};
