module.exports = () => require('krell').Engine;
