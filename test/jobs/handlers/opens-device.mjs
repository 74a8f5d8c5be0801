export { listDevices as default } from '../../../dist/src/host/devices.js';
