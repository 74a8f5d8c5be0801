// `krell devices`: where sound can go, and where it goes unless told otherwise.
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

function describe({ drivers, devices, auto }: DeviceList): string {
  const driverRows = drivers.map(({ name, available, reason }) => [`  ${name}`, available ? 'yes' : 'no', reason]);
  const deviceRows = devices
    .filter(({ outputs }) => outputs > 0)
    .map(({ index, name, api, driver, outputs, defaultSampleRate, isDefault }) => [
      `  ${index}`,
      `${name} (${api})`,
      driver,
      counted(outputs, 'output'),
      `${defaultSampleRate} Hz`,
      isDefault ? 'default' : '',
    ]);
  return [
    'Drivers',
    columns(driverRows),
    '',
    'Devices',
    deviceRows.length > 0 ? columns(deviceRows) : '  none',
    '',
    `play takes ${auto.driver}${auto.device === undefined ? '' : `, ${auto.device}`}: ${auto.reason}`,
  ].join('\n');
}
