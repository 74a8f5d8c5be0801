// Compiles the graph into a plan in the arena: the immutable list of what each DSP thread does in a block.
import { lanesFor, type InputKind } from '../kernel/index.js';
import { MAX_SLOTS, PARTITION, PLAN, SEGMENT, STEP } from '../shared/layout.js';
import type { Arena } from './arena.js';
import { CARRY } from './carry.js';
import { inputKind, orderUnits, usedOutputs, type GraphNode, type Source, type Unit } from './graph.js';
import { LOOP_HEADROOM, type Instances } from './instances.js';
import type { Kernel, Kernels } from './kernels.js';
import { schedule, type Partition } from './schedule.js';

/** Estimated nanoseconds: of one operation for one lane group, of one kernel call; measured, see docs/architecture.md. */
const OPERATION_NS = 0.22;
const CALL_NS = 25;

const MAX_GROUPS = 4;

export interface PlanSettings {
  readonly blockFrames: number;
  readonly sampleRate: number;
  readonly workers: number;
  /** Table index of the carry kernel. */
  readonly carry: number;
}

export interface Plan {
  /** Byte address of its PLAN record; all of its memory is one allocation there. */
  readonly address: number;
  readonly partitions: readonly Partition[];
  /** Worker of each module, by instance name. */
  readonly workerOf: ReadonlyMap<string, number>;
}

/** Words and buffers of a plan, addressed from its start until it is known where that is. */
class Draft {
  readonly words: number[] = [];
  /** Words that hold an address within the plan. */
  readonly relative = new Set<number>();

  /** Makes room for `count` words at a multiple of 64 bytes. @returns the first's index */
  room(count: number): number {
    while (this.words.length % 16) this.words.push(0);
    const at = this.words.length;
    for (let i = 0; i < count; i++) this.words.push(0);
    return at;
  }
  /** Sets a word to the address of another word of the plan. */
  point(word: number, target: number): void {
    this.words[word] = target * 4;
    this.relative.add(word);
  }
  list(values: readonly number[], relative = false): number {
    const at = this.room(values.length);
    values.forEach((value, i) => (relative ? this.point(at + i, value) : (this.words[at + i] = value)));
    return at;
  }
}

/** Where an output's samples lie: in the plan (word index) or in the arena (byte address, for loops). */
interface Buffer {
  readonly word: number;
  readonly address: number;
}

class PlanBuilder {
  readonly #draft = new Draft();
  readonly #kernels = new Map<GraphNode, Kernel>();
  readonly #units: Unit[];
  readonly #partitionOf = new Map<GraphNode, number>();
  readonly #readers = new Map<GraphNode, { node: GraphNode; input: number; output: number }[]>();
  /** Loop units: each node's place in the order of a sample. */
  readonly #place = new Map<GraphNode, { unit: Unit; at: number }>();
  readonly #buffers = new Map<GraphNode, Buffer[]>();
  /** Buffer memory follows the words; offsets from its start. */
  #bufferWords = 0;
  readonly #bufferPointers: { word: number; offset: number }[] = [];
  readonly #takenLoopBuffers: { node: GraphNode; output: number }[] = [];

  constructor(
    readonly arena: Arena,
    readonly kernels: Kernels,
    readonly instances: Instances,
    readonly settings: PlanSettings,
    readonly nodes: readonly GraphNode[],
    readonly bus: readonly (Source | undefined)[],
  ) {
    // Walks begin at the outputs, so that what feeds one another runs close together.
    const roots = [...nodes].sort(
      (a, b) => Number(b.instance.definition.role === 'output') - Number(a.instance.definition.role === 'output'),
    );
    this.#units = orderUnits(roots);
    for (const unit of this.#units) if (unit.loop) unit.nodes.forEach((node, at) => this.#place.set(node, { unit, at }));
    for (const node of nodes) {
      node.inputs.forEach((source, input) => {
        if (!source) return;
        const readers = this.#readers.get(source.node) ?? [];
        readers.push({ node, input, output: source.output });
        this.#readers.set(source.node, readers);
      });
      this.#kernels.set(node, this.#kernel(node));
    }
  }

  #kernel(node: GraphNode): Kernel {
    const { definition, voices } = node.instance;
    const inputs = node.inputs.map((_, i) => inputKind(node, i));
    return this.kernels.get(definition, { sampleRate: this.settings.sampleRate, voices, inputs, outputs: usedOutputs(node) });
  }

  /** Estimated nanoseconds of a unit per block. */
  #cost(unit: Unit): number {
    const { blockFrames } = this.settings;
    const calls = unit.loop ? blockFrames : 1;
    return unit.nodes.reduce((sum, node) => {
      const groups = Math.ceil(node.instance.voices / lanesFor(node.instance.voices));
      return sum + calls * CALL_NS + this.#kernels.get(node)!.operations * OPERATION_NS * groups * blockFrames;
    }, 0);
  }

  build(): Plan {
    const partitions = schedule(
      this.#units.map((unit) => ({ after: unit.after, cost: this.#cost(unit) })),
      this.settings.workers,
    );
    partitions.forEach((partition, i) =>
      partition.units.forEach((unit) => this.#units[unit]!.nodes.forEach((node) => this.#partitionOf.set(node, i))),
    );
    const draft = this.#draft;
    const plan = draft.room(PLAN.WORDS);
    const table = draft.room(partitions.length * PARTITION.WORDS);
    draft.point(plan + PLAN.PARTITIONS, table);
    draft.words[plan + PLAN.PARTITION_COUNT] = partitions.length;
    draft.words[plan + PLAN.WORKERS] = new Set(partitions.map(({ worker }) => worker)).size;
    const slots = new Array<number>(MAX_SLOTS).fill(-1);
    for (const [node, partition] of this.#partitionOf) slots[node.instance.slot] = partition;
    draft.point(plan + PLAN.SLOT_PARTITION, draft.list(slots));
    try {
      partitions.forEach((partition, i) => this.#allocate(partition, i));
      partitions.forEach((partition, i) => this.#partition(table + i * PARTITION.WORDS, partition, i, partitions));
      const bus = draft.room(this.bus.length);
      draft.point(plan + PLAN.BUS, bus);
      this.bus.forEach((source, channel) => source && this.#pointBuffer(bus + channel, source, 0));
      const address = this.#publishable();
      const workerOf = new Map([...this.#partitionOf].map(([node, i]) => [node.instance.name, partitions[i]!.worker]));
      return { address, partitions, workerOf };
    } catch (error) {
      for (const { node, output } of this.#takenLoopBuffers) {
        this.arena.give(node.instance.loopBuffers.get(output)! - LOOP_HEADROOM);
        node.instance.loopBuffers.delete(output);
      }
      throw error;
    }
  }

  /** Copies the draft into the arena, now that its address can be known. */
  #publishable(): number {
    const { words, relative } = this.#draft;
    const wordBytes = Math.ceil(words.length / 16) * 64;
    const address = this.arena.take(wordBytes + this.#bufferWords * 4, 'the plan');
    const memory = this.arena.words;
    words.forEach((value, i) => (memory[address / 4 + i] = relative.has(i) ? value + address : value));
    for (const { word, offset } of this.#bufferPointers) memory[address / 4 + word] = address + wordBytes + offset * 4 + words[word]!;
    return address;
  }

  // ── buffers ──

  #frameWords(node: GraphNode): number {
    return lanesFor(node.instance.voices);
  }

  /** Words of an output's buffer: as many lane groups as its widest reader, for groups beyond the source's must read as silence. */
  #words(node: GraphNode, output: number): { words: number; wide: boolean } {
    const { blockFrames } = this.settings;
    const own = Math.ceil(node.instance.voices / 4);
    let groups = own;
    for (const reader of this.#readers.get(node) ?? [])
      if (reader.output === output && inputKind(reader.node, reader.input) === 'p')
        groups = Math.max(groups, Math.ceil(reader.node.instance.voices / 4));
    return { words: this.#frameWords(node) * blockFrames * groups, wide: groups > own };
  }

  /** Whether a reader comes no later than the source in the order of a sample, so that it reads the frame before. */
  #closesLoop(source: GraphNode, reader: GraphNode): boolean {
    const [from, to] = [this.#place.get(source), this.#place.get(reader)];
    return from !== undefined && to !== undefined && from.unit === to.unit && to.at <= from.at;
  }

  /** Gives every used output of a partition its buffer; one that only the partition itself reads is reused after its last reader. */
  #allocate(partition: Partition, index: number): void {
    const order = partition.units.flatMap((unit) => this.#units[unit]!.nodes);
    const step = new Map(order.map((node, i) => [node, i]));
    const free = new Map<number, number[]>();
    const ends: { offset: number; words: number }[][] = order.map(() => []);
    order.forEach((node, i) => {
      const buffers: Buffer[] = [];
      usedOutputs(node).forEach((used, output) => {
        if (!used) return void buffers.push({ word: -1, address: 0 });
        const readers = (this.#readers.get(node) ?? []).filter((reader) => reader.output === output).map((reader) => reader.node);
        const { words, wide } = this.#words(node, output);
        if (readers.some((reader) => this.#closesLoop(node, reader)))
          return void buffers.push({ word: -1, address: this.#loopBuffer(node, output) });
        const kept =
          wide ||
          this.#place.has(node) ||
          readers.some((reader) => this.#partitionOf.get(reader) !== index) ||
          this.bus.some((source) => source?.node === node && source.output === output);
        const again = kept ? undefined : free.get(words)?.pop();
        const offset = again ?? this.#bufferWords;
        if (again === undefined) this.#bufferWords += words;
        // A reader in a loop reads it sample by sample until the loop's last node has run.
        const last = Math.max(i, ...readers.map((reader) => step.get(this.#place.get(reader)?.unit.nodes.at(-1) ?? reader) ?? i));
        if (!kept) ends[last]!.push({ offset, words });
        buffers.push({ word: offset, address: 0 });
      });
      this.#buffers.set(node, buffers);
      for (const { offset, words } of ends[i]!) free.set(words, [...(free.get(words) ?? []), offset]);
    });
  }

  /** Lane groups of a loop's buffer: all there can be, for its readers may change while it stays. */
  #loopGroups(node: GraphNode): number {
    return node.instance.voices === 1 ? 1 : MAX_GROUPS;
  }

  #loopBuffer(node: GraphNode, output: number): number {
    const { loopBuffers, name } = node.instance;
    let address = loopBuffers.get(output);
    if (address === undefined) {
      // The frame before the first lies in the 64 bytes before the buffer.
      const words = this.#frameWords(node) * this.settings.blockFrames * this.#loopGroups(node);
      address = this.arena.take(LOOP_HEADROOM + words * 4, `the loop through ${name}`) + LOOP_HEADROOM;
      loopBuffers.set(output, address);
      this.#takenLoopBuffers.push({ node, output });
    }
    return address;
  }

  /** Sets a word to where an output's samples begin, `back` bytes earlier. */
  #pointBuffer(word: number, source: Source, back: number): void {
    const buffer = this.#buffers.get(source.node)![source.output]!;
    if (buffer.address > 0) this.#draft.words[word] = buffer.address - back;
    else {
      this.#draft.words[word] = -back;
      this.#bufferPointers.push({ word, offset: buffer.word });
    }
  }

  // ── partitions, segments, steps ──

  #partition(word: number, partition: Partition, index: number, all: readonly Partition[]): void {
    const draft = this.#draft;
    const segments: { mode: number; steps: number[] }[] = [];
    const blockwise = (): number[] => {
      if (segments.at(-1)?.mode !== 0) segments.push({ mode: 0, steps: [] });
      return segments.at(-1)!.steps;
    };
    for (const i of partition.units) {
      const unit = this.#units[i]!;
      if (!unit.loop) blockwise().push(this.#step(unit.nodes[0]!));
      else {
        blockwise().push(this.#carry(unit));
        segments.push({ mode: 1, steps: unit.nodes.map((node) => this.#step(node)) });
      }
    }
    const table = draft.room(segments.length * SEGMENT.WORDS);
    segments.forEach(({ mode, steps }, i) => {
      const segment = table + i * SEGMENT.WORDS;
      draft.words[segment + SEGMENT.MODE] = mode;
      draft.point(segment + SEGMENT.STEPS, draft.list(steps, true));
      draft.words[segment + SEGMENT.STEP_COUNT] = steps.length;
    });
    const successors = all.flatMap(({ after }, i) => (after.includes(index) ? [i] : []));
    draft.words[word + PARTITION.LIMIT] = partition.after.length;
    draft.point(word + PARTITION.SEGMENTS, table);
    draft.words[word + PARTITION.SEGMENT_COUNT] = segments.length;
    draft.point(word + PARTITION.SUCCESSORS, draft.list(successors));
    draft.words[word + PARTITION.SUCCESSOR_COUNT] = successors.length;
    draft.words[word + PARTITION.WORKER] = partition.worker;
    draft.words[word + PARTITION.EVENTS] = -1;
  }

  #step(node: GraphNode): number {
    const draft = this.#draft;
    const { instance } = node;
    const groupBytes = this.settings.blockFrames * 16;
    const ports: { source: Source; back: number; stride: number }[] = [];
    node.inputs.forEach((source, i) => {
      if (!source) return;
      const kind: InputKind = inputKind(node, i);
      const back = this.#closesLoop(source.node, node) ? this.#frameWords(source.node) * 4 : 0;
      ports.push({ source, back, stride: kind === 'm' || kind === 'f' ? 0 : groupBytes });
    });
    usedOutputs(node).forEach((used, output) => used && ports.push({ source: { node, output }, back: 0, stride: groupBytes }));
    const step = draft.room(STEP.PORTS + ports.length * 2);
    draft.words[step + STEP.KERNEL] = this.#kernels.get(node)!.index;
    draft.words[step + STEP.STATE] = instance.state;
    draft.words[step + STEP.TABLES] = this.instances.tables(instance.definition);
    ports.forEach(({ source, back, stride }, i) => {
      this.#pointBuffer(step + STEP.PORTS + 2 * i, source, back);
      draft.words[step + STEP.PORTS + 2 * i + 1] = stride;
    });
    return step;
  }

  /** The step before a loop that moves the last frame of its feedback buffers to before the first. */
  #carry(unit: Unit): number {
    const draft = this.#draft;
    const pairs: number[] = [];
    for (const node of unit.nodes)
      for (const buffer of this.#buffers.get(node)!) {
        if (buffer.address === 0) continue;
        const frame = this.#frameWords(node) * 4;
        const group = this.settings.blockFrames * frame;
        // Groups lie without a gap: the frame before group g is the last of group g − 1, which has been carried by then
        // and is not written again before the block's end.
        for (let g = 0; g < this.#loopGroups(node); g++)
          for (let byte = 0; byte < frame; byte += 4)
            pairs.push(buffer.address + g * group + group - frame + byte, buffer.address + g * group - frame + byte);
      }
    const step = draft.room(CARRY.PAIRS + pairs.length);
    draft.words[step + STEP.KERNEL] = this.settings.carry;
    draft.words[step + CARRY.COUNT] = pairs.length / 2;
    pairs.forEach((value, i) => (draft.words[step + CARRY.PAIRS + i] = value));
    return step;
  }
}

/**
 * Builds a plan. Nothing is published by it.
 * @throws KrellError `memory`, KernelError
 */
export function buildPlan(
  arena: Arena,
  kernels: Kernels,
  instances: Instances,
  nodes: readonly GraphNode[],
  bus: readonly (Source | undefined)[],
  settings: PlanSettings,
): Plan {
  return new PlanBuilder(arena, kernels, instances, settings, nodes, bus).build();
}
