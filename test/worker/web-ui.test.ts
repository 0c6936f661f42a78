import { expect, test } from 'vitest';
import { webUiAddress } from '../../src/worker/web-ui.ts';

test('the Web UI is where it is said to be, else beside a dev server on this machine, else unknown', () => {
  expect(webUiAddress('temporal.example:7233', 'https://ui.example/')).toBe('https://ui.example');
  expect(webUiAddress('127.0.0.1:7233')).toBe('http://127.0.0.1:8233');
  expect(webUiAddress('temporal.example:7233')).toBeUndefined();
});
