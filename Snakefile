"""What snakemake runs by itself: the study of params.yaml. The rules are in workflow/."""


include: "workflow/Snakefile"


localrules:
    study,


rule study:
    default_target: True
    input:
        RULES.everything(),
