/**
 * Milliseconds kept ready in tests that play live and are not about latency: a machine that stands still for less does not spoil them.
 * A good part of what the ring holds (8192 frames).
 */
export const DEEP_MS = 150;
