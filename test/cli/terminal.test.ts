// What the command line draws, against a terminal that only remembers.
import { liveLine, Meter } from '#src/cli/live-line.js';
import { bar, columns, counted, duration, LiveLine, progressLine } from '#src/cli/terminal.js';
import { describe, expect, it } from 'vitest';

class FakeTerminal {
  written = '';
  columns = 60;
  constructor(readonly isTTY: boolean) {}
  hasColors = () => true;
  write(text: string): boolean {
    this.written += text;
    return true;
  }
}
const fake = (isTTY = true): { terminal: FakeTerminal; line: LiveLine } => {
  const terminal = new FakeTerminal(isTTY);
  return { terminal, line: new LiveLine(terminal as unknown as NodeJS.WriteStream) };
};
/** Text without colour codes. */
const plain = (text: string): string => text.replace(/\x1b\[\d+m/g, '');

describe('LiveLine', () => {
  it('hides the cursor while it draws and gives it back', () => {
    const { terminal, line } = fake();
    line.draw('one');
    line.draw('two');
    line.clear();
    line.clear();
    expect(terminal.written).toBe('\x1b[?25l\r\x1b[Kone\r\x1b[Ktwo\r\x1b[K\x1b[?25h');
  });

  it('gives the cursor back when the process exits', () => {
    const { terminal, line } = fake();
    const before = process.listeners('exit');
    line.draw('one');
    const added = process.listeners('exit').filter((listener) => !before.includes(listener));
    expect(added).toHaveLength(1);
    added[0]!(0);
    expect(terminal.written.endsWith('\x1b[?25h')).toBe(true);
    expect(process.listeners('exit')).toEqual(before);
  });

  it('draws nothing where there is no terminal', () => {
    const { terminal, line } = fake(false);
    line.draw('one');
    line.clear();
    expect(terminal.written).toBe('');
    expect(line.hasColour).toBe(false);
  });
});

describe('progressLine', () => {
  it('shows the fraction and stays within the terminal', () => {
    for (const width of [10, 20, 40, 60, 200]) {
      const { terminal, line } = fake();
      terminal.columns = width;
      progressLine(line, 'out.wav')(0.5);
      const drawn = terminal.written.replace('\x1b[?25l\r\x1b[K', '');
      expect(drawn).toContain('50 %');
      expect(drawn.length).toBeLessThan(width);
      line.clear();
    }
  });
});

describe('liveLine', () => {
  const stats = {
    sampleRate: 48000,
    blockFrames: 64,
    frames: 3_456_000,
    seconds: 72,
    underruns: 3,
    blocks: 54_000,
    workers: [
      { load: 0.42, faults: 0 },
      { load: 0.081, faults: 0 },
    ],
    voices: 12,
    modules: 7,
    cables: 9,
    peak: [1, 0.5],
    driver: 'null',
    memory: { used: 1, budget: 2 },
    lateEvents: 0,
    droppedEvents: 0,
    kernels: 4,
  };
  const meters = [new Meter(), new Meter()];
  meters[0]!.update(0.5, 0, 0);
  meters[1]!.update(0.25, 0, 0);

  it('shows time, meters, level, underruns, load per worker and voices', () => {
    expect(plain(liveLine(stats, meters, 120, true))).toBe(
      ' 1:12  L▕█████████████████████▋  ▏  R▕███████████████████▏    ▏   -6.0 dB  3 underruns  dsp 42%  8%  12 voices',
    );
  });

  it('shows all of that on 80 columns, and on fewer the most important', () => {
    for (let width = 5; width < 130; width++) expect(plain(liveLine(stats, meters, width, true)).length).toBeLessThanOrEqual(width);
    expect(plain(liveLine(stats, meters, 79, true))).toMatch(/12 voices$/);
    expect(plain(liveLine(stats, meters, 50, true))).toMatch(/3 underruns$/);
  });

  it('is coloured on request only', () => {
    expect(liveLine(stats, meters, 120, false)).not.toContain('\x1b');
    expect(liveLine(stats, meters, 120, true)).toContain('\x1b[31m3 underruns\x1b[0m');
  });
});

describe('Meter', () => {
  it('jumps to a peak, falls slowly and marks the peak for a while', () => {
    const meter = new Meter();
    meter.update(1, 0, 0);
    expect(meter.draw(10)).toBe('██████████');
    meter.update(0, 1, 1);
    expect(meter.level).toBe(-30);
    expect(meter.draw(10)).toBe('█████    │');
    meter.update(0, 2, 1);
    expect(meter.draw(10)).toBe(' '.repeat(10));
  });
});

describe('text', () => {
  it('draws bars to an eighth of a character', () => {
    expect(bar(0.5, 4)).toBe('██  ');
    expect(bar(1 / 32, 4)).toBe('▏   ');
    expect(bar(-1, 2)).toBe('  ');
    expect(bar(7, 2)).toBe('██');
  });
  it('writes durations like a clock', () => {
    expect([0, 7.4, 59.9, 754, 3723].map(duration)).toEqual(['0:00', '0:07', '1:00', '12:34', '1:02:03']);
  });
  it('aligns columns, numbers to the right', () => {
    expect(
      columns(
        [
          ['vco', '1'],
          ['mixer', '12'],
        ],
        new Set([1]),
      ),
    ).toBe('vco     1\nmixer  12');
  });
  it('counts', () => {
    expect([counted(1, 'voice'), counted(2, 'voice'), counted(0, 'voice')]).toEqual(['1 voice', '2 voices', '0 voices']);
  });
});
