import { defineCommand, JSON_OPTION } from '../args.js';
export const command = defineCommand({
  name: 'devices',
  summary: 'Lists sound devices, and says which one play takes.',
  options: { json: JSON_OPTION },
  async run() {
    return 0;
  },
});
