/** What a line is doing; the detail of its "state" events. */
export type LineState =
  | { state: 'connecting' }
  /** isResumed: the same client as before, nothing was missed. Otherwise the server sees a new one. */
  | { state: 'open'; transport: 'websocket' | 'sse'; isResumed: boolean }
  | { state: 'waiting'; seconds: number; code: number; reason: string }
  | { state: 'closed' };

export interface LineOptions {
  /** Whether to try events and POST where WebSocket does not open. Default: true. */
  fallback?: boolean;
  /** How long WebSocket alone is tried. Default: 2000. */
  fallbackAfterMs?: number;
  /** How long an attempt may take. Default: 10000. */
  openTimeoutMs?: number;
  /** The first delay before another attempt, and the longest; they double between. Default: 500 and 15000. */
  firstDelayMs?: number;
  delayMaxMs?: number;
  /** Without any message for so long the line is dead; 0: never. For servers that ping. Default: 0. */
  silenceMs?: number;
  /** WebSocket subprotocols. */
  protocols?: string[];
}

type Sendable = string | ArrayBuffer | ArrayBufferView;

interface LineEvents {
  state: CustomEvent<LineState>;
  message: MessageEvent<string | ArrayBuffer>;
}

/** A line to a gateway that opens itself again whenever it is lost. */
export class Gatehouse extends EventTarget {
  /**
   * Absolute, or relative to the page; ws and http mean the same. A function is asked before each attempt; one that
   * throws or takes openTimeoutMs has lost that attempt.
   */
  constructor(url: string | (() => string | Promise<string>), options?: LineOptions);
  readonly state: LineState;
  readonly transport: 'websocket' | 'sse' | undefined;
  open(): Promise<void>;
  /** False: the line is not open, nothing was sent. Over events it is sent again until it has arrived. */
  send(data: Sendable): boolean;
  close(code?: number, reason?: string): void;
  reopen(): void;
  settle(): void;
  addEventListener<K extends keyof LineEvents>(
    type: K, listener: (event: LineEvents[K]) => void, options?: boolean | AddEventListenerOptions): void;
}
