"""What is run with loompy and with stook.loompy: functions of the module, which is given to them.

They work in a folder of their own, and know numpy and scipy alone.
"""
