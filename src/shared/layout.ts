// The arena: every word that two threads touch, named once.
//
// One shared WebAssembly.Memory, as large as it will ever be: growing it would leave the threads' views behind. Below HEAP: the control block, rings and tables laid out here, at fixed places.
// Above it: what control allocates (plans, module state, cable buffers, tables). All offsets named *_W are in
// 32-bit words from the start of their record; pointers stored in the arena are byte addresses.
//
// Who writes a word is noted beside it: C control, L leading DSP thread, D any DSP thread, H audio host, O osc, S scripts.

const LINE_W = 32; // one cache-line pair, 128 bytes: words written by different threads never share one

// ── control block (word index from 0) ──
export const CONTROL = {
  SAMPLE_RATE: 0, // C, before start: Hz
  BLOCK_FRAMES: 1, // C, before start: frames computed per block
  CHANNELS: 2, // C, before start: channels of the main bus
  WORKERS: 3, // C, before start: DSP threads that run partitions
  RING_DEPTH: 4, // C: frames the leader keeps ready in the output ring (≤ RING_FRAMES)
  SPIN: 5, // C, before start: loop turns a DSP thread spins at the most before it sleeps (src/realtime/spin.ts)
  RUN: 6, // C: a RUN_* state; C signals TICK and BLOCK_GATE after a change
  KERNELS_POSTED: 7, // C adds 1 after posting a kernel to every DSP thread, then signals TICK and BLOCK_GATE
  TAP: 8, // C: 1 while the host copies what it plays into the tap ring
  LIVE: 9, // C: 1 when a device plays, which must not wait; offline the leader has more patience with other threads
  INPUT_TABLE: 10, // C: word index of the tables of `in` modules, laid out as INPUT; 0 = there is none

  TICK: 1 * LINE_W, // H adds 1 after taking frames (and C to wake the leader): the leader waits here for room
  BLOCK_GATE: 2 * LINE_W, // L adds 1 when a block with work for several threads begins (and C to wake them): the others wait here
  BLOCK_TICKET: 2 * LINE_W + 1, // L: number of the block open for claims, a multiple of CLAIM_TICKET
  SUCCESSION: 2 * LINE_W + 2, // CD: the place that changes hands: src/realtime/spare.ts; the spare waits here
  DONE_GATE: 3 * LINE_W, // D: adds 1 when a partition ends and DONE_WAITERS is not 0
  DONE_WAITERS: 3 * LINE_W + 1, // D: a bit for each thread that waits, or is about to, for a partition to end
  PLAN: 4 * LINE_W, // L: byte address of the plan now playing, 0 = none
  NEXT_PLAN: 5 * LINE_W, // C: byte address of the plan to adopt at the next block edge
  FRAME_LO: 6 * LINE_W, // L: frame of the block being computed, low word (read both with readFrame)
  FRAME_HI: 6 * LINE_W + 1, // L: high word, then its copy
  BLOCKS: 6 * LINE_W + 3, // L: blocks computed; a gate, notified when the ring holds HOST_WANTS frames
  LATE_EVENTS: 6 * LINE_W + 4, // L: events whose frame had passed when they were read
  STALE_EVENTS: 6 * LINE_W + 5, // L: events for a module that no longer exists
  HELD_BACK: 6 * LINE_W + 6, // L: times that commands stayed in their ring for a while because the pending queue was full
  ADOPTED: 6 * LINE_W + 7, // L: plans adopted; notified after each
  LEADER_SLEEPS: 6 * LINE_W + 8, // L: times the leader slept for want of room
  PENDING: 6 * LINE_W + 9, // L: events in the pending heap
  ARRIVALS: 6 * LINE_W + 10, // L: events read from the command rings, wrapping
  STAGE: 6 * LINE_W + 11, // L: a STAGE_* of the block being computed, so that another leader can go on with it
  STAGE_TICKET: 6 * LINE_W + 12, // L: that block's ticket
  STAGE_WRITTEN: 6 * LINE_W + 13, // L: frames in the output ring's count before it
  STAGE_FRAME: 6 * LINE_W + 14, // L: FRAME_LO before it
  STAGE_FRAME_HI: 6 * LINE_W + 17, // L: and its high word, twice as always
  INPUT_UNDERRUNS: 6 * LINE_W + 16, // L: blocks for which the input ring held too little
  ABANDONED: 6 * LINE_W + 15, // L: partitions given up because their thread was too late
  HOST_FRAME_LO: 7 * LINE_W, // H: frames delivered to the device, low word (read both with readFrame)
  HOST_FRAME_HI: 7 * LINE_W + 1, // H: high word, then its copy
  UNDERRUNS: 7 * LINE_W + 3, // H: periods for which the ring held too little
  HOST_STATE: 7 * LINE_W + 4, // H: a HOST_* state; notified on change
  PEAK_LEFT: 7 * LINE_W + 5, // H: float bits, largest |sample| since control last zeroed it
  PEAK_RIGHT: 7 * LINE_W + 6,
  PERIOD_FRAMES: 7 * LINE_W + 7, // H: frames the device takes at a time
  HOST_WANTS: 7 * LINE_W + 8, // H: frames in the output ring for which it waits on BLOCKS, 0 = does not wait
  STALLS: 7 * LINE_W + 9, // H: times the host itself woke a period or more too late: the machine stood still, not the engine
  RING_LOW: 7 * LINE_W + 10, // H: fewest frames that a period left in the output ring since control last raised it
  TAKEN_LO: 7 * LINE_W + 11, // H: frames taken from the output ring (HOST_FRAME less what underruns made up), low word
  TAKEN_HI: 7 * LINE_W + 12, // H: high word, then its copy
  HOST_NEEDS: 7 * LINE_W + 14, // H: frames it needs now, to be computed on top of RING_DEPTH
  HOST_TURN: 7 * LINE_W + 15, // H, and C before any plays: number of the host thread that plays; the one before it leaves
  HOST_LEFT: 7 * LINE_W + 16, // H: the HOST_TURN to which the host thread before has left
  INPUT_CHANNELS: 7 * LINE_W + 17, // H: channels that the device brings, 0 = none

  // When the host took what: one pair of time and frame, written once a period (src/shared/stamp.ts). STAMP_SEQ is odd while it is being written.
  STAMP_SEQ: 8 * LINE_W, // H
  STAMP_SECONDS: 8 * LINE_W + 1, // H: Unix time (CLOCK_REALTIME) at which the period that begins with the frame below was taken
  STAMP_NANOSECONDS: 8 * LINE_W + 2, // H
  STAMP_FRAME_LO: 8 * LINE_W + 3, // H: frames taken from the output ring before it: the engine's frame that goes out then
  STAMP_FRAME_HI: 8 * LINE_W + 4, // H
  PERIODS: 8 * LINE_W + 6, // H: periods begun, wrapping

  OSC_PACKETS: 9 * LINE_W, // O: packets received
  OSC_MESSAGES: 9 * LINE_W + 1, // O: messages in them
  OSC_FAULTS: 9 * LINE_W + 2, // O: packets refused as malformed
  OSC_LATE: 9 * LINE_W + 3, // O: messages whose time had passed
  OSC_MERGED: 9 * LINE_W + 4, // O: parameter changes replaced by a later one of the same parameter while the ring was full
  OSC_DROPPED: 9 * LINE_W + 5, // O: messages that could not be kept
  OSC_CLAMPED: 9 * LINE_W + 6, // O: values out of their parameter's range

  SCRIPT_MODE: 10 * LINE_W, // C: 0 no scripts, 1 they play along, 2 the leader waits for them (offline)
  SCRIPT_LOCK: 11 * LINE_W, // S: one more than the number of the script thread that writes into COMMANDS_SCRIPT, 0 = none; C sets it to 0 when that one has died
} as const;

export const RUN_IDLE = 0; // threads are warm and wait
export const RUN_PLAYING = 1;
export const RUN_STOP = 2; // threads leave their loops

export const STAGE_FREE = 0; // between two blocks
export const STAGE_DEALT = 1; // the block's events are with its partitions
export const STAGE_OPEN = 2; // its partitions may be claimed
export const STAGE_DONE = 3; // all have ended; it goes to the output ring

export const HOST_STARTING = 0;
export const HOST_PLAYING = 1; // the device is open and takes frames
export const HOST_ENDED = 2;
export const HOST_FAILED = 3;

// ── one record per DSP thread ──
export const MAX_WORKERS = 16;
export const WORKER = {
  PLAN_IN_USE: 0, // D: plan this thread may be reading, 0 = none (a hazard pointer: control frees no plan named here)
  KERNELS: 1, // D: how many kernel messages this thread has installed
  HEARTBEAT: 2, // D: adds 1 per block or wake-up
  BUSY_NS: 3, // D: nanoseconds spent on partitions (not waiting for other threads), wrapping
  BLOCKS: 4, // D: blocks this thread took part in, wrapping
  STATE: 5, // D: 0 not started, 1 running, 2 left
  AT: 6, // D: byte address of the word that names the step being run, or of the one behind the last, 0 = none (with SEGMENT and FRAME, where to go on)
  FAULTS: 7, // D: kernel traps caught, and kernels that could not be installed
  MAX_BLOCK_NS: 8, // D: longest block since control last zeroed it
  SEGMENT: 9, // D: byte address of the segment being run
  FRAME: 10, // D: the frame of a loop of cables being run, from the block's start
  TIMED: 11, // D: byte address of the step that is being timed, 0 = none, −1 = all
  SCHEDULING: 12, // D: place in SCHEDULINGS (src/realtime/priority.ts)
  FLUSHES: 13, // D: 1 when the thread's processor takes denormals for zero
  SEAT: 14, // D: the number under which control knows the thread that is in this place
  ABANDONED: 15, // L: the claim of this thread that was given up as too late, 0 = none; D: 0 when it is back
  RETIRE: 16, // C: 1 asks the thread to leave its place to the spare between two blocks
  SYSTEM_ID: 17, // D: the system's number of the thread, 0 where there is none
  THREAD: 18, // D: Node's number of the thread
  PARTITION: 19, // D: word index of the partition being run, 0 = none; how far it has come stand in the next four and in AT (src/realtime/run.ts)
  PIECE_FROM: 20, // D: frame, from the block's start, at which the piece between two events begins
  PIECE_TO: 21, // D: and at which it ends
  PIECE_RUNS: 22, // D: 1 while it is being run, 0 = it is done
  NEXT_EVENT: 23, // D: index of the BLOCK_EVENT to be applied behind it, −1 = none
  EVENT: 24, // D: a copy of the BLOCK_EVENT that is being applied, 8 words
} as const;
/** The record of the spare, which waits to take another's place. */
export const SPARE = MAX_WORKERS;
const WORKERS_W = 12 * LINE_W;
export const workerWord = (worker: number, field: number): number => WORKERS_W + worker * LINE_W + field;

// ── script threads: a record each ──
/** Bins of a count of what something cost (src/realtime/cost.ts). */
export const COST_BINS = 64;
export const MAX_SCRIPT_THREADS = 8;
export const SCRIPT = {
  ACTIVE: 0, // C: 1 while there are modules that it drives
  GATE: 1, // L adds 1 when FRAME has reached WANTS (and C to wake it): the thread waits here
  WAITS: 2, // S sets to 1 before it waits for that, L to 0 when it wakes it
  BEAT: LINE_W, // S: adds 1 whenever it looks around
  CURRENT: LINE_W + 1, // S: one more than the slot and generation of the module whose script runs, 0 = none
  SAID: LINE_W + 2, // S: low word of the frame before which it has said everything
  WANTS: LINE_W + 3, // S: low word of the frame at which it has more to do
  TICKS: LINE_W + 4, // S: ticks computed, wrapping
  LATE: LINE_W + 5, // S: values whose frame had passed when they were known, wrapping
  DROPPED: LINE_W + 6, // S: values that were not played: too late, when the script wants those dropped, or no room for them
  ERRORS: LINE_W + 7, // S: ticks that threw
  BINS: 2 * LINE_W, // S: ticks by what they took, as in HEALTH
  WORDS: 2 * LINE_W + COST_BINS,
} as const;
const SCRIPTS_W = WORKERS_W + (MAX_WORKERS + 1) * LINE_W;
export const scriptWord = (thread: number, field: number): number => SCRIPTS_W + thread * SCRIPT.WORDS + field;

// ── rings: a header of two lines (read index, write index), then the data ──
// DROPS, written by the producer: records or frames that found the ring full.
export const RING = { READ: 0, WRITE: LINE_W, DROPS: LINE_W + 1, DATA: 2 * LINE_W } as const;

/** Frames in the output ring; a power of two, larger than any RING_DEPTH. */
export const RING_FRAMES = 8192;
export const MAX_CHANNELS = 8;
export const OUTPUT_RING_W = scriptWord(MAX_SCRIPT_THREADS, 0);

/** What a device brings, on its way to the leader: two channels, like the output ring. */
export const INPUT_RING_CHANNELS = 2;
export const INPUT_RING_W = OUTPUT_RING_W + RING.DATA + RING_FRAMES * MAX_CHANNELS;
/** The tables of `modules/in.ts`: a ring of volts for each side, filled a block at a time by the leader, and where the block lies in it. */
export const INPUT_FRAMES = 2048;
export const INPUT = { LEFT: 0, RIGHT: INPUT_FRAMES, BLOCK_START: 2 * INPUT_FRAMES, BLOCK_FRAMES: 2 * INPUT_FRAMES + 1 } as const;

/** Frames in the recording tap (interleaved like the output ring). */
export const TAP_FRAMES = 131072;
export const TAP_RING_W = INPUT_RING_W + RING.DATA + RING_FRAMES * INPUT_RING_CHANNELS;

// ── command rings: parameter changes on their way to the leader ──
/** One command, COMMAND.WORDS long. */
export const COMMAND = {
  KIND: 0, // a COMMAND_* kind
  SLOT: 1, // slot index | generation << 16
  PARAM: 2, // parameter index
  VOICE: 3, // voice, −1 = all
  VALUE: 4, // float bits
  FRAME_LO: 5, // frame to apply at; both words −1 = now
  FRAME_HI: 6,
  RAMP: 7, // frames the change takes, 0 = at once
  WORDS: 8,
} as const;
/** Sets a parameter. */
export const COMMAND_SET = 1;
/** Plays or ends a note: VALUE = pitch in volts, PARAM = velocity 0..1 as float bits (0 ends it), VOICE = key, RAMP = frames it lasts (0 = until ended). */
export const COMMAND_NOTE = 2;
/** Adds VALUE to a whole-number parameter: what counts triggers, so that each is one however soon the next comes. */
export const COMMAND_ADD = 3;
/** Such a count wraps to 0 here: as a float it stays exact. */
export const COUNT_END = 2 ** 20;
export const COMMAND_SLOTS = 16384; // power of two
const COMMAND_RING_WORDS = RING.DATA + COMMAND_SLOTS * COMMAND.WORDS;
/** Command rings, one per producer. */
export const COMMANDS_CONTROL_W = TAP_RING_W + RING.DATA + TAP_FRAMES * MAX_CHANNELS;
export const COMMANDS_OSC_W = COMMANDS_CONTROL_W + COMMAND_RING_WORDS;
export const COMMANDS_SCRIPT_W = COMMANDS_OSC_W + COMMAND_RING_WORDS;

// ── pending events: a binary heap by (frame, arrival), touched by the leader only ──
export const PENDING_MAX = 16384;
/** A record: the command, and behind it: */
export const PENDING = {
  ARRIVAL: COMMAND.WORDS, // its number in the order in which commands came
  STATE: COMMAND.WORDS + 1, // a PENDING_* state
  RING: COMMAND.WORDS + 2, // the ring it came from
  PLACE: COMMAND.WORDS + 3, // and that ring's READ before
  WORDS: COMMAND.WORDS + 4,
} as const;
export const PENDING_FREE = 0;
export const PENDING_WAITS = 1;
export const PENDING_DEALT = 2; // in a list of this block's events
export const PENDING_W = COMMANDS_SCRIPT_W + COMMAND_RING_WORDS;
/** The heap: in each place the number of a record, less that of the place. Behind the heap come the records that are free. */
export const PENDING_ORDER_W = PENDING_W + PENDING_MAX * PENDING.WORDS;

// ── the current block's events, a list per partition ──
export const BLOCK_EVENTS_MAX = 8192;
export const BLOCK_EVENT = {
  NEXT: 0, // index of the partition's next event in this block, −1 = last
  OFFSET: 1, // frames from the block's start
  STATE: 2, // byte address of the module's state
  PARAM: 3, // this and the rest as in the COMMAND
  VOICE: 4,
  VALUE: 5,
  RAMP: 6,
  KIND: 7,
  WORDS: 8,
} as const;
export const BLOCK_EVENTS_W = PENDING_ORDER_W + PENDING_MAX;

// ── module slots: a stable number for a living module, or a cable mixer ──
/** Modules of a patch. */
export const MAX_MODULES = 4096;
/** While a patch fades out and the next one plays there are two, each with its cable mixers. */
export const MAX_SLOTS = 4 * MAX_MODULES; // power of two
export const SLOT = { GENERATION: 0, STATE: 1, WORDS: 2 } as const; // C; STATE is 0 when free
export const SLOTS_W = BLOCK_EVENTS_W + BLOCK_EVENTS_MAX * BLOCK_EVENT.WORDS;

// ── health: a record per slot, of what its module costs and how often it failed ──
export const HEALTH = {
  FAULTS: 0, // D: faults in all
  RECENT: 1, // D: faults in the second that began at …
  SINCE: 2, // D: … this frame (low word)
  OVER: 3, // D: timings in a row that were above the budget
  TIMINGS: 4, // D
  MAX_NS: 5, // D: per block
  SUM_NS: 6, // D: a count as in frame.ts, three words
  BINS: 9, // D: timings by costBin
  WORDS: 9 + COST_BINS,
} as const;
export const HEALTH_W = SLOTS_W + MAX_SLOTS * SLOT.WORDS;

// ── faults: a ring per DSP thread, of what went wrong in it ──
export const FAULT_SLOTS = 64; // power of two
export const FAULT = {
  KIND: 0, // a FAULT_* kind
  SLOT: 1, // slot and generation of the module, −1 = none
  FRAME_LO: 2, // frame at which it happened
  FRAME_HI: 3,
  VALUE: 4, // what the kind says
  WORDS: 8,
} as const;
/** A module gave a number that is none (VALUE: its bits) and began anew. */
export const FAULT_NAN = 1;
/** A kernel trapped; its modules are bypassed. */
export const FAULT_TRAP = 2;
/** A module alone took more of the block's time than there is (VALUE: nanoseconds per block) and is bypassed. */
export const FAULT_BUDGET = 3;
/** A module failed again and again (VALUE: times) and is bypassed. */
export const FAULT_OFTEN = 4;
/** A thread (VALUE: its number) was so late that the block went on without the partition it had. */
export const FAULT_LATE = 5;
const FAULT_RING_WORDS = RING.DATA + FAULT_SLOTS * FAULT.WORDS;
const FAULTS_W = Math.ceil((HEALTH_W + MAX_SLOTS * HEALTH.WORDS) / LINE_W) * LINE_W;
export const faultRing = (worker: number): number => FAULTS_W + worker * FAULT_RING_WORDS;

// ── flight recorder: per DSP thread the latest blocks, written at the end of each ──
export const FLIGHT_BLOCKS = 8192; // power of two; 11 s in blocks of 64 frames at 48 kHz
export const FLIGHT = {
  FRAME: 0, // the block's first frame, low word
  START_NS: 1, // when the thread began, by the clock that all threads share, wrapping
  WALL_NS: 2, // from then to the end
  BUSY_NS: 3, // of that, at work
  WORDS: 4,
} as const;
const FLIGHTS_W = Math.ceil(faultRing(MAX_WORKERS + 1) / LINE_W) * LINE_W;
/** The record of a thread's block number `block`, as its WORKER.BLOCKS counts. */
export const flightAt = (worker: number, block: number): number =>
  FLIGHTS_W + (worker * FLIGHT_BLOCKS + (block & (FLIGHT_BLOCKS - 1))) * FLIGHT.WORDS;

/** The host's periods, written as each begins. */
export const PERIOD = {
  START_NS: 0, // by the clock that all threads share, wrapping
  READY: 1, // frames that the output ring held
  WORDS: 2,
} as const;
/** The record of period number `period`, as PERIODS counts; as many as there are blocks of a thread. */
export const periodAt = (period: number): number => flightAt(MAX_WORKERS, 0) + (period & (FLIGHT_BLOCKS - 1)) * PERIOD.WORDS;

/** First byte control may allocate. */
export const HEAP = Math.ceil((periodAt(FLIGHT_BLOCKS - 1) + PERIOD.WORDS) / 1024) * 4096;

// ── plan (immutable once published, but for the words marked D or L) ──
export const PLAN = {
  ID: 0,
  PARTITIONS: 1, // byte address of the first PARTITION record
  PARTITION_COUNT: 2,
  BUS: 4, // byte address of CHANNELS pointers, each to a mono buffer in volts (0 = silent)
  SLOT_PARTITION: 5, // byte address of MAX_SLOTS words: partition of a module, −1 = not in this plan
  WORKERS: 6, // DSP threads this plan has work for
  WORDS: LINE_W,
} as const;
export const PARTITION = {
  SEGMENTS: 1, // byte address of SEGMENT records
  SEGMENT_COUNT: 2,
  SUCCESSORS: 3, // byte address of words: partition indices
  SUCCESSOR_COUNT: 4,
  WORKER: 5, // the thread that should run it; any may
  AFTER: 6, // byte address of words: indices of the partitions that must end before this one begins
  AFTER_COUNT: 7,
  STEPS: 12, // byte address of words: byte addresses of all its STEP records, segment by segment
  STEP_COUNT: 13,
  OUTPUTS: 14, // byte address of pairs of words: byte address and lanes of each group of samples that others read
  OUTPUT_COUNT: 15,
  // What changes in every block has a cache line of its own: the rest stays in every thread's cache.
  CLAIM: 16, // C sets to 0, then LD: the block's ticket, the owner and a CLAIM_* state
  EVENTS: 17, // L: index of the first BLOCK_EVENT, −1 = none
  LAST_EVENT: 18, // L: index of the last one
  WORDS: LINE_W,
} as const;
/** States of a claim, its lowest two bits; above them four for the owner, above those the ticket. */
export const CLAIM_ENDED = 0;
export const CLAIM_OPEN = 1;
export const CLAIM_TAKEN = 2;
export const CLAIM_ABANDONED = 3;
export const CLAIM_OWNER = 4;
export const CLAIM_TICKET = CLAIM_OWNER * MAX_WORKERS;
export const SEGMENT = {
  MODE: 0, // 0: each step runs the whole block; 1: all steps run sample by sample (a loop of cables)
  STEPS: 1, // byte address of words: byte addresses of STEP records
  STEP_COUNT: 2,
  WORDS: 4,
} as const;

// ── step: one module (or cable mixer) in a plan; the argument of a kernel ──
export const STEP = {
  KERNEL: 0, // index in the kernel table
  STATE: 1, // byte address of the module's state
  TABLES: 2, // byte address of the module type's tables
  FAULT: 3, // D: a bit for each lane of which the call just made gave a number that is none; the kernel sets it, `mend` clears it
  LANES: 4, // a bit for each lane of a shared state that this step computes; 1 = a state of its own, 0 = no module
  FIRST_OUTPUT: 5, // ports before the first output's
  OUTPUT_COUNT: 6,
  SLOTS: 8, // slot and generation (as in COMMAND.SLOT) of the module in each lane; of a module with a state of its own, the first
  PORTS: 12, // two words per plugged-in input or output, in the kernel's order: byte address, bytes between lane groups
} as const;

// ── module state: a header, then `GROUPS` lane groups ──
// A lane group is a row of vectors, LANES floats each: voice mask, voice number, four per parameter, then the rest of
// the state, then buffers (interleaved by lane). Behind the groups lie, group by group, the vectors of state as they were at first.
export const STATE = {
  PACKED: 0, // 1 when the lanes are modules of their own (several monophonic ones in one state), else voices of one
  LANES: 1, // 1 or 4
  GROUPS: 2,
  GROUP_BYTES: 3,
  VOICES: 4,
  PARAMS: 5,
  KEYS: 6, // of a module that plays notes: bytes from its first lane group to the key stack in it, else 0
  SCALARS: 7, // vectors of state between the parameters and the last outputs
  RAMP_FRAMES: 8, // frames until the last running ramp ends: one word, or when packed one per lane
  MUTED: 12, // CD: a bit for each lane that is bypassed (bit 0 of a state of its own), and MUTED_REVIVE further up one that is to start anew
  OUTPUTS: 13, // vectors that keep the last sample of each used output, behind those of state
  HEADER_BYTES: 64,
} as const;
export const MUTED_REVIVE = 8;
export const VECTOR_MASK = 0; // all ones in lanes that are a voice
export const VECTOR_VOICE = 1; // the voice's number, float
export const VECTOR_PARAMS = 2;
/** Vectors of one parameter. */
export const PARAM = { VALUE: 0, STEP: 1, TARGET: 2, REMAINING: 3, VECTORS: 4 } as const;

export * from './note-layout.js';
