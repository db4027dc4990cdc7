import type { Span } from './span.ts';

/** No credential, and none begins before `end`. */
export interface PassedOver {
  readonly start?: undefined;
  readonly end: number;
}

/** A way in which credentials look. */
export interface Shape {
  /** Strings one of which every such credential has, at least three characters; upper and lower case are the same. */
  readonly anchors: readonly string[];
  /**
   * The credential around an anchor, if there is one. It looks at a bounded number of characters, or at none twice:
   * whoever writes the text must not be able to make this slow.
   * @param at where the anchor begins
   */
  find(text: string, at: number): Span | PassedOver | undefined;
}
