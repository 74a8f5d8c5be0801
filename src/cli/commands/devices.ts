// `krell devices`: where sound can go, and where it goes unless told otherwise.
import type { Device } from '../../host/device.js';
import { listDevices, type DeviceList } from '../../host/devices.js';
import { defineCommand, JSON_OPTION } from '../args.js';
import { columns, counted } from '../terminal.js';

export const command = defineCommand({
  name: 'devices',
  summary: 'Lists drivers and sound devices, and says which one play takes.',
  options: { json: JSON_OPTION },

  async run(_operands, { json }) {
    const list = await listDevices();
    process.stdout.write(`${json ? JSON.stringify(list) : describe(list)}\n`);
    return 0;
  },
});

/** Inputs and outputs, rate, and what the driver says of its latency. */
function rowOf({ index, name, api, driver, inputs, outputs, isDefault, ...device }: Device): string[] {
  const { defaultSampleRate, sampleRates = [], defaultLowLatencyMs: low, defaultHighLatencyMs: high } = device;
  const others = sampleRates.filter((rate) => rate !== defaultSampleRate);
  return [
    `  ${index}`,
    `${name} (${api})`,
    driver,
    counted(inputs, 'input'),
    counted(outputs, 'output'),
    `${defaultSampleRate} Hz${others.length > 0 ? `, also ${others.join(' ')}` : ''}`,
    low === undefined || high === undefined ? '' : milliseconds(low, high),
    isDefault ? 'default' : '',
  ];
}

const milliseconds = (low: number, high: number): string =>
  low === high ? `${low.toFixed(1)} ms` : `${low.toFixed(1)} to ${high.toFixed(1)} ms`;

function describe({ drivers, devices, auto }: DeviceList): string {
  const driverRows = drivers.map(({ name, available, reason }) => [`  ${name}`, available ? 'yes' : 'no', reason]);
  return [
    'Drivers',
    columns(driverRows),
    '',
    'Devices',
    devices.length > 0 ? columns(devices.map(rowOf)) : '  none',
    '',
    `play takes ${auto.driver}${auto.device === undefined ? '' : `, ${auto.device}`}: ${auto.reason}`,
  ].join('\n');
}
