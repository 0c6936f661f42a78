import { vi } from 'vitest';

// Runs before each file: none finds modules that an earlier file has imported, with what that one had put in their place.
vi.resetModules();
