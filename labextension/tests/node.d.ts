/** What the tests use of Node. */
declare module 'node:test' {
  interface Context {
    mock: { timers: { enable(options: { apis: string[] }): void; tick(milliseconds: number): void } };
  }
  export function test(name: string, body: (context: Context) => void | Promise<void>): void;
}

declare module 'node:assert/strict' {
  interface Assert {
    (value: unknown, message?: string): asserts value;
    equal(actual: unknown, expected: unknown, message?: string): void;
    deepEqual(actual: unknown, expected: unknown, message?: string): void;
  }
  const assert: Assert;
  export default assert;
}
