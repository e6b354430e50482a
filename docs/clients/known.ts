/**
 * The value when it is one of those that this page knows, and otherwise what stands in for it: an enum may grow while
 * the page is open.
 */
export function known<T extends string>(value: string, values: readonly T[], otherwise: T): T {
  return values.find((each) => each === value) ?? otherwise;
}
